{
  # Kept apart from the addon's binding.gyp: building the addon must not need node-addon-api.
  'targets': [
    {
      'target_name': 'test_helpers',
      'sources': ['test_helpers.cc'],
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
  ],
}
