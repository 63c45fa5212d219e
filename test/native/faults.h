/*
 * The layer between the addon and liburing in the test build: it is included before every source,
 * and makes happen what a kernel does seldom. Nothing here lies about data: an operation that is
 * said not to have run has not run, and a short one has moved just so much.
 *
 * URING_FS_FAULTS is a list "kind:n:error:opcode,..." (the last two where they apply):
 *
 *   enter:n:e      one in n calls to submit fails with error e, nothing submitted
 *   early:n:e      the first n calls to submit fail with e, nothing submitted
 *   fetch:n:e      one in n calls to fetch completions fails with e
 *   late:n:e:o     every call fails with e from the nth on (from the first that submits opcode o):
 *                  the ring is broken
 *   partial:n      one in n calls submits a single SQE: chains are cut
 *   short:n        one in n reads and writes moves a part
 *   result:n:e:o   one in n SQEs (of opcode o) completes with e without having run; with EAGAIN
 *                  never one for a kernel worker, which waits
 *   nth:n:e:o      the nth SQE of opcode o completes with e without having run
 *   kill:n:a       the process is killed before its nth submission (a = 0) or right after it (1)
 *   foreign:n:p:o  one in n SQEs of opcode o becomes one of opcode p, with blank arguments
 *   stale:n        one in n calls leaves IORING_SQ_TASKRUN set with nothing behind it
 *   entries:n      there is memory for a ring of n entries only
 *   overflow:n     the CQ has n entries, the addon is told that it has 16 n
 *   flags:n        the kernel knows no flags of io_uring_setup(2) but n
 *   opcodes:n      the kernel knows no opcodes from n on
 *   linger:1       a file is still open when the close of its direct descriptor is complete
 *   wake:n         it takes n us to wake up another thread
 *   unlinked:1     the kernel looks a chain's files up before it begins: no IORING_FEAT_LINKED_FILE
 *
 * How often each has happened is written to stderr when the process ends.
 */
#ifndef UFS_FAULTS_H
#define UFS_FAULTS_H

#include <liburing.h>
#include <uv.h>

int ufs_faults_init(unsigned entries, struct io_uring *ring, struct io_uring_params *params);
int ufs_faults_probe(struct io_uring *ring, struct io_uring_probe *probe, unsigned count);
int ufs_faults_register_files(struct io_uring *ring, const int *files, unsigned count);
int ufs_faults_submit(struct io_uring *ring);
int ufs_faults_fetch(struct io_uring *ring);
struct io_uring_cqe *ufs_faults_cqe(struct io_uring *ring, unsigned head);
void ufs_faults_wake(uv_sem_t *semaphore);

#define io_uring_queue_init_params ufs_faults_init
#define io_uring_register_probe ufs_faults_probe
#define io_uring_register_files ufs_faults_register_files
#define io_uring_submit_and_get_events ufs_faults_submit
#define io_uring_get_events ufs_faults_fetch
#define uv_sem_post ufs_faults_wake
#undef io_uring_for_each_cqe
#define io_uring_for_each_cqe(ring, head, cqe) \
  for ((head) = *(ring)->cq.khead; ((cqe) = ufs_faults_cqe((ring), (head))) != NULL; (head)++)

#endif
