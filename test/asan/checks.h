/*
 * What AddressSanitizer cannot see by itself: the kernel reads and writes memory behind its back.
 * So in the sanitised build all that a request lends to the kernel is looked at when it is handed
 * in, and again when it comes back: memory that was freed meanwhile is reported as a use after
 * free.
 *
 * URING_FS_ASAN_PROOF=KIND makes a mistake on purpose when the addon is loaded, to show that it is
 * reported: overflow, freed, lent, undefined or leak.
 */
#ifndef UFS_CHECKS_H
#define UFS_CHECKS_H

#include "../native/faults.h"

int ufs_checks_submit(struct io_uring *ring);
void ufs_checks_advance(struct io_uring *ring, unsigned count);

#undef io_uring_submit_and_get_events
#define io_uring_submit_and_get_events ufs_checks_submit
#define io_uring_cq_advance ufs_checks_advance

#endif
