// The few C calls that Swift cannot import: variadic ones, newer posix_spawn flags, raw system calls.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// open(2) with a mode, which is variadic in C.
int opk_open(const char *path, int flags, mode_t mode);
/// openat(2), likewise.
int opk_openat(int folder, const char *path, int flags, mode_t mode);
/// A descriptor of the folder itself, for fstat and openat. Needs no right to list it where the system knows O_PATH.
int opk_open_folder(const char *path);
/// syslog(3) with the text as an argument, never as a format. `priority` is LOG_INFO and the like.
void opk_syslog(int priority, const char *text);

/// Where opk_spawn takes a descriptor: the child gets /dev/null there.
#define OPK_NULL_DEVICE (-1)
/// Starts the program at `path`, without a shell, in a session and process group of its own, with every signal at its default
/// and none blocked, and with no descriptor but 0, 1 and 2, which become `input`, `output` and `errors`.
/// `arguments` (argv[0] included) and `environment` are strings, each ended by NUL, one behind the other.
/// Returns 0 and sets `*pid`, or an errno.
int opk_spawn(
    pid_t *pid, const char *path, const uint8_t *arguments, size_t argumentsLength, const uint8_t *environment,
    size_t environmentLength, int input, int output, int errors);
/// A descriptor that becomes readable when the child ends, or -1 where the system has no such thing.
int opk_pidfd(pid_t pid);
/// 1 if the child has ended (it stays unreaped, so its id cannot be another's yet), 0 if not, -1 with errno set.
int opk_has_ended(pid_t pid);
/// pipe(2) whose ends are closed on exec.
int opk_pipe(int ends[2]);
/// A connected pair of stream sockets, closed on exec.
int opk_socketpair(int ends[2]);
/// send(2) that fails with EPIPE instead of raising SIGPIPE, and with EAGAIN instead of waiting.
ssize_t opk_send(int socket, const uint8_t *bytes, size_t length);
/// A connected, non-blocking stream socket, closed on exec, to the socket of that name; -1 with errno set (EAGAIN: its queue is full).
int opk_connect_unix(const char *path);
/// The `index`th entry ("NAME=value") of this process's environment, or NULL.
const char *opk_environment(size_t index);

/// Sees to it that descriptors 0, 1 and 2 are open, on /dev/null where they were not: else the next file opened would become one of them.
/// Returns 0, or -1 where that cannot be had.
int opk_open_standard_descriptors(void);

/// How many words the command line has, the program's name included.
int opk_argument_count(void);
/// The word at `index`, ended by NUL; null beyond the last. It lives as long as the process.
const char *opk_argument(int index);
