#include "credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FNV-1a */
static uint64_t hash_of(const gid_t *groups, size_t count) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (size_t i = 0; i < count; i++) {
    hash = (hash ^ groups[i]) * 0x100000001b3ULL;
  }
  return hash ^ count;
}

/* Most processes have few. */
enum { FEW_GROUPS = 64 };

static int read_groups(uint64_t *hash) {
  gid_t few[FEW_GROUPS];
  int count = getgroups(FEW_GROUPS, few);
  if (count >= 0) {
    *hash = hash_of(few, (size_t)count);
    return 0;
  }
  count = getgroups(0, NULL);
  if (count < 0) return -errno;
  gid_t *groups = calloc((size_t)count, sizeof *groups);
  if (groups == NULL) return -ENOMEM;
  count = getgroups(count, groups);
  const int result = count < 0 ? -errno : 0;
  if (count >= 0) *hash = hash_of(groups, (size_t)count);
  free(groups);
  return result;
}

int ufs_credentials_read(ufs_credentials *credentials) {
  memset(credentials, 0, sizeof *credentials); /* padding too: they are compared byte by byte */
  uid_t *uids = credentials->uids;
  gid_t *gids = credentials->gids;
  if (getresuid(&uids[0], &uids[1], &uids[2]) < 0) return -errno;
  if (getresgid(&gids[0], &gids[1], &gids[2]) < 0) return -errno;
  return read_groups(&credentials->groups);
}

bool ufs_credentials_may_return(void) {
  uid_t uids[3];
  gid_t gids[3];
  if (getresuid(&uids[0], &uids[1], &uids[2]) < 0) return true;
  if (getresgid(&gids[0], &gids[1], &gids[2]) < 0) return true;
  return uids[0] != uids[1] || uids[1] != uids[2] || gids[0] != gids[1] || gids[1] != gids[2];
}
