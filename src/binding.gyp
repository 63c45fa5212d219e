# Here and not at the root of the package: there pnpm 9, Yarn and `npm rebuild` would take it for a
# reason to compile, "gypfile": false or not.
{
  'targets': [
    {
      'target_name': 'uring_fs',
      'sources': [
        'addon.c',
        'args.c',
        'cached.c',
        'caller_memory.c',
        'credentials.c',
        'engine.c',
        'file_ops.c',
        'helper_thread.c',
        'probe.c',
        'request.c',
        'ring.c',
        'whole_file.c',
      ],
      'defines': [
        'NAPI_VERSION=9',
        # Under -std=c11 glibc shows struct statx, O_PATH and the like only with this.
        '_GNU_SOURCE',
      ],
      'cflags': ['-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'cflags_c': ['-std=c11'],
      # Node's own settings, which come first, silence this one.
      'cflags!': ['-Wno-unused-parameter'],
      'configurations': {
        'Release': {
          'cflags': ['-O2'],
          'cflags!': ['-O3'],
        },
      },
      'ldflags': [
        # gyp links with the C++ driver: leave out the libstdc++ and libm that nothing here uses.
        '-Wl,--as-needed',
        # liburing's symbols stay inside: another addon in the process may carry its own copy.
        '-Wl,--exclude-libs,ALL',
        '-Wl,-z,relro,-z,now',
      ],
      # The archive by its file name, so that the linker never takes liburing.so instead.
      'libraries': ['-l:liburing.a'],
      'conditions': [
        # Without it, glibc 2.28 and newer know fcntl() and others by new names that older ones lack.
        # File offsets have 64 bits there in any case.
        ['target_arch in ("x64", "arm64")', {'defines!': ['_FILE_OFFSET_BITS=64', '_LARGEFILE_SOURCE']}],
        # Atomics in place: the functions of libgcc's for them look for newer CPUs by a name that musl lacks.
        ['target_arch=="arm64"', {'cflags_c': ['-mno-outline-atomics']}],
        # No io_uring elsewhere: there the package serves every call through node:fs.
        ['OS!="linux"', {'type': 'none'}],
      ],
    },
  ],
}
