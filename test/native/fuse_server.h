#ifndef FUSE_SERVER_H
#define FUSE_SERVER_H

#include <napi.h>

void ServeFuse(const Napi::CallbackInfo &info);

#endif
