// The few C calls that Swift cannot import: variadic ones, newer posix_spawn flags, raw system calls.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// open(2) with a mode, which is variadic in C.
int opk_open(const char *path, int flags, mode_t mode);
/// openat(2), likewise.
int opk_openat(int folder, const char *path, int flags, mode_t mode);
/// syslog(3) with the text as an argument, never as a format. `priority` is LOG_INFO and the like.
void opk_syslog(int priority, const char *text);
