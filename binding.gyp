{
  'targets': [
    {
      'target_name': 'uring_fs',
      'sources': [
        'src/addon.c',
        'src/args.c',
        'src/cached.c',
        'src/caller_memory.c',
        'src/credentials.c',
        'src/engine.c',
        'src/file_ops.c',
        'src/probe.c',
        'src/request.c',
        'src/ring.c',
        'src/whole_file.c',
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
        # No io_uring elsewhere: there the package serves every call through node:fs.
        ['OS!="linux"', {'type': 'none'}],
      ],
    },
  ],
}
