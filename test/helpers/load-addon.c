/*
 * Loads an addon as Node does, and says "loaded" or why not: whether the C library has all that the
 * addon needs. What it needs of Node itself, the program must have been linked with.
 */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  void *addon = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  const int is_addon = addon != NULL && dlsym(addon, "napi_register_module_v1") != NULL;
  (void)puts(is_addon ? "loaded" : dlerror());
  return is_addon ? 0 : 1;
}
