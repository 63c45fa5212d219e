/*
 * Reads into memory that a caller of the package can get at meanwhile.
 *
 * A Buffer can lose its memory while the kernel is to write there: structuredClone() and
 * postMessage() can give it to another, ArrayBuffer.prototype.transfer() can free it. Node-API has
 * no means to prevent that. So the kernel is given such memory only while no JS can run: for a read
 * without waiting, within a system call, right after JS has looked whether the Buffer still has it.
 * What would wait is read into memory of the request's own, its shield, and copied when it is
 * there: to a Buffer that still has its memory, else to nobody.
 *
 * Reads of files so large that a kernel worker copies them go without: a second copy would halve
 * their speed. For these, as for writes, memory must stay where it is, as with Node. Memory that no
 * caller knows yet, and that of a SharedArrayBuffer, which cannot move, need none of it.
 */
#ifndef UFS_CALLER_MEMORY_H
#define UFS_CALLER_MEMORY_H

#include "engine.h"

bool ufs_choose_memory(ufs_engine *engine, ufs_request *request);
void ufs_prepare_read_into(struct io_uring_sqe *sqe, const ufs_request *request);
bool ufs_attempt_read_into(ufs_engine *engine, ufs_request *request);
bool ufs_finish_read_into(ufs_engine *engine, ufs_request *request);

/* Copies what the shield of a finished request holds to where the read was to go: `count` pieces of
 * memory as they are now. A piece that has another size by now is left out. */
void ufs_take_from_shield(const ufs_request *request, const struct iovec *pieces, uint32_t count);

#endif
