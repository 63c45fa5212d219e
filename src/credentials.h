/*
 * Whose rights this process has: user, group and further groups. For a ring whose SQEs a kernel
 * thread takes, with the rights that there were when the ring was made (CVE-2024-22017).
 */
#ifndef UFS_CREDENTIALS_H
#define UFS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
  uid_t uids[3]; /* real, effective, saved */
  gid_t gids[3];
  uint64_t groups; /* a hash of them */
} ufs_credentials;

/* Those of now; also after a change by another addon, or another thread. 0, or -errno. */
int ufs_credentials_read(ufs_credentials *credentials);

/* Whether the process has given up rights that it may take back (seteuid(2)), or has taken them. */
bool ufs_credentials_may_return(void);

#endif
