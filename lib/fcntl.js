'use strict';
/** What <fcntl.h> has for Linux, on every architecture of Node's, and node:fs's constants have not. */
module.exports = { AT_SYMLINK_NOFOLLOW: 0x100, O_CLOEXEC: 0o2000000, O_PATH: 0o10000000 };
