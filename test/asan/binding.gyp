{
  # The addon with AddressSanitizer and UndefinedBehaviorSanitizer, for tools/test-asan.js: over the
  # layer that injects failures, which injects none unless it is told to.
  'targets': [
    {
      'target_name': 'uring_fs_asan',
      'sources': [
        'checks.c',
        '../native/faults.c',
        '<!@(node -p "require(\'fs\').readdirSync(\'../../src\').filter((n) => n.endsWith(\'.c\')).map((n) => \'../../src/\' + n).join(\' \')")',
      ],
      'defines': ['NAPI_VERSION=9', '_GNU_SOURCE'],
      'cflags': [
        '-Wall', '-Wextra', '-Werror', '-fvisibility=hidden', '-g', '-fno-omit-frame-pointer',
        '-fsanitize=address,undefined', '-fno-sanitize-recover=all',
      ],
      'cflags_c': [
        '-std=c11',
        '--include=<(module_root_dir)/checks.h',
      ],
      'cflags!': ['-Wno-unused-parameter', '-fomit-frame-pointer'],
      'configurations': {'Release': {'cflags': ['-O1'], 'cflags!': ['-O3']}},
      'ldflags': ['-fsanitize=address,undefined', '-Wl,--exclude-libs,ALL'],
      'libraries': ['-l:liburing.a'],
      'conditions': [
        ['OS!="linux"', {'type': 'none'}],
      ],
    },
  ],
}
