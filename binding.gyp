# What `node-gyp rebuild` builds in a clone: src/binding.gyp, which the package brings without this one.
{
  'targets': [
    {'target_name': 'addon', 'type': 'none', 'dependencies': ['src/binding.gyp:uring_fs']},
  ],
}
