{
  # Kept apart from the addon's binding.gyp: building the addon must not need node-addon-api.
  'targets': [
    {
      'target_name': 'test_helpers',
      'sources': ['test_helpers.cc', 'fuse_server.cc'],
      'include_dirs': ['../../node_modules/node-addon-api'],
      'defines': [
        'NAPI_VERSION=9',
        'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        # A finalizer may run while its environment ends, when nothing can be thrown any more.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'cflags': ['-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'conditions': [
        ['OS!="linux"', {'type': 'none'}],
      ],
    },
    {
      # The addon over a layer that injects failures: see faults.h.
      'target_name': 'uring_fs_faults',
      'sources': [
        'faults.c',
        '<!@(node -p "require(\'fs\').readdirSync(\'../../src\').filter((n) => n.endsWith(\'.c\')).map((n) => \'../../src/\' + n).join(\' \')")',
      ],
      'defines': ['NAPI_VERSION=9', '_GNU_SOURCE'],
      'cflags': ['-Wall', '-Wextra', '-Werror', '-fvisibility=hidden'],
      'cflags_c': ['-std=c11', '-include', '<(module_root_dir)/faults.h'],
      'ldflags': ['-Wl,--as-needed', '-Wl,--exclude-libs,ALL'],
      'libraries': ['-l:liburing.a'],
      'conditions': [
        ['OS!="linux"', {'type': 'none'}],
      ],
    },
  ],
}
