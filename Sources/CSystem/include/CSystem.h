// The few C calls that Swift cannot import: variadic ones, newer posix_spawn flags, raw system calls.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// open(2) with a mode, which is variadic in C.
int opk_open(const char *path, int flags, mode_t mode);
/// openat(2), likewise.
int opk_openat(int folder, const char *path, int flags, mode_t mode);
/// Gives the open file the access list (POSIX ACL) and the SELinux label of the file called `from`, which is not followed where it is a link.
/// 0, or -1 with errno set where there is a list and it cannot be given.
int opk_copy_attributes(const char *from, int to);
/// A descriptor of the folder itself, for fstat and openat. Needs no right to list it where the system knows O_PATH.
int opk_open_folder(const char *path);
/// The same of a folder in that folder, without following a link (ELOOP or ENOTDIR); one that an automounter mounts is mounted.
int opk_open_folder_at(int folder, const char *name);
/// Renames within a folder where nothing has the new name: 0, or -1 with errno set (EEXIST). On a file system that cannot, the file has both names for a moment.
int opk_rename_fresh(int folder, const char *name, const char *newName);
/// Renames within a folder where something has the new name, which then has the old one: 0, or -1 with errno set (ENOENT). On a file system that cannot, it is
/// replaced, and may have gone just before.
int opk_rename_over(int folder, const char *name, const char *newName);

/// Where opk_spawn takes a descriptor: the child gets /dev/null there.
#define OPK_NULL_DEVICE (-1)
/// Starts the program at `path`, without a shell, in a session and process group of its own, with every signal at its default
/// and none blocked, and with no descriptor but 0, 1 and 2, which become `input`, `output` and `errors`.
/// `arguments` (argv[0] included) and `environment` are strings, each ended by NUL, one behind the other.
/// Returns 0 and sets `*pid`, or an errno.
int opk_spawn(
    pid_t *pid, const char *path, const uint8_t *arguments, size_t argumentsLength, const uint8_t *environment,
    size_t environmentLength, int input, int output, int errors);
/// Runs the program at `path` in this process's terminal, session and environment, and waits for it; meanwhile this process ignores Ctrl-C.
/// `arguments` as above. Returns 0 and sets `*status` as wait(2) does, or an errno.
int opk_run_foreground(const char *path, const uint8_t *arguments, size_t length, int *status);
/// Puts the program at `path` in this process's place, without its watchdog and with signals as they were in the beginning; all else that it gave up
/// stays given up. Strings as above. An errno where that cannot be.
int opk_become(
    const char *path, const uint8_t *arguments, size_t argumentsLength, const uint8_t *environment, size_t environmentLength);
/// A descriptor that becomes readable when the child ends, or -1 where the system has no such thing.
int opk_pidfd(pid_t pid);
/// Sends the process of such a descriptor a signal. 0, or -1 with errno set (ESRCH: it has ended).
int opk_pidfd_signal(int pidfd, int signal);
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
/// Whose process listens at the other end of such a connection. 0, or -1 with errno set.
int opk_peer_user(int socket, uid_t *user);
/// The `index`th entry ("NAME=value") of this process's environment, or NULL.
const char *opk_environment(size_t index);

/// Sees to it that descriptors 0, 1 and 2 are open, on /dev/null where they were not: else the next file opened would become one of them.
/// Returns 0, or -1 where that cannot be had.
int opk_open_standard_descriptors(void);

/// 1 where `piece` is somewhere in `text`, else 0.
int opk_contains(const uint8_t *text, size_t length, const uint8_t *piece, size_t pieceLength);
/// Where the piece first stands whole within text[start..<end]; -1 where it does not.
ptrdiff_t opk_find(const uint8_t *text, ptrdiff_t start, ptrdiff_t end, const uint8_t *piece, size_t pieceLength);
/// Behind the last line break of text[start..<end]; `start` where there is none.
ptrdiff_t opk_last_line(const uint8_t *text, ptrdiff_t start, ptrdiff_t end);

/// How many words the command line has, the program's name included.
int opk_argument_count(void);
/// The word at `index`, ended by NUL; null beyond the last. It lives as long as the process.
const char *opk_argument(int index);
/// The folder of the program that runs, with a slash at its end; null where that cannot be told. It lives until this is asked again.
const char *opk_own_folder(void);

// Fork.c

/// A copy of this process that is killed when this one ends, however that comes about. Its id; 0 in the copy; -1 with errno set. The process must have one
/// thread. The copy has no alarm, and what its alarm would do is the system's default.
pid_t opk_fork(void);
/// Whether the copy is killed with the one that made it. 1 where that one has ended already.
int opk_die_with_parent(int yes);
/// The same copy with no descriptor but one end of a pair of sockets, of which this process has the other: `*channel` in both. After so many seconds it
/// ends by itself.
pid_t opk_fork_with_channel(int *channel, unsigned seconds);

// Confine.c: what a process gives up for good.

struct opk_limits {
    /// Bytes of address space; bytes of a file that is written.
    uint64_t memory, fileSize;
    uint64_t descriptors, cpuSeconds;
};
/// No core dump, and these limits where they are not lower already, hard ones too. 0, or -1 where one could not be set.
int opk_lower_limits(const struct opk_limits *limits);
/// No fork(2) from here on (but for root, whom the system does not count).
int opk_forbid_new_processes(void);
/// Closes every descriptor from `first` on.
void opk_close_from(int first);
/// No core dump, and no look into this process (ptrace, /proc/PID/mem) for processes of the same user. 0 or -1.
int opk_hide_memory(void);
/// No set-uid program gives this process or its children more than it has: sudo among them. 0 or -1.
int opk_no_new_privileges(void);

#define OPK_FS_EXECUTE (1ULL << 0)
#define OPK_FS_WRITE_FILE (1ULL << 1)
#define OPK_FS_READ_FILE (1ULL << 2)
#define OPK_FS_READ_DIRECTORY (1ULL << 3)
#define OPK_FS_REMOVE_FILE (1ULL << 5)
#define OPK_FS_MAKE_FILE (1ULL << 8)
#define OPK_FS_TRUNCATE (1ULL << 14)
#define OPK_FS_IOCTL_DEVICE (1ULL << 15)
/// The version of Landlock that this kernel speaks; 0 where it does not, or where it may not be asked (a container's filter).
int opk_landlock_abi(void);
/// A ruleset that denies everything that this version knows: all access to files, TCP (but connect(2) with `mayConnect`), abstract sockets of
/// processes outside and signals to them. A descriptor, or -1 with errno set.
int opk_landlock_ruleset(int abi, int mayConnect);
/// Allows `rights` at `path` and below it. Nothing where there is no such path or it cannot be reached. 0, or -1 with errno set.
int opk_landlock_allow(int ruleset, int abi, const char *path, uint64_t rights);
/// From here on the ruleset holds, for this thread and its children. 0, or -1 with errno set.
int opk_landlock_restrict(int ruleset);

// Log.c

struct iovec;
/// One line for the system's log, with priority, time stamp and name as syslog(3) has them. Waits at most 200 ms for a log that is stuck, and never
/// for one that is not there. 0, or -1 where the line is lost. `priority` is facility and severity together.
int opk_log_line(int priority, const uint8_t *text, size_t length);
/// The same for a whole message in parts; `parts` has room for one more, and is changed. May be called in a signal handler.
int opk_log_words(struct iovec *parts, int count);
/// "12:00:01" or "2026-11-24 12:00:01" in local time; how many characters, or 0.
size_t opk_local_time(int64_t seconds, int withDate, char *buffer, size_t size);

/// A message in journald's own form, which it takes whole or not at all. Waits as the others do. 0, or -1 where there is no journald or it does not take it.
int opk_log_journal(const uint8_t *message, size_t length);

// Audit.c

#define OPK_AUDIT_PARTS 4
/// Adds a line, in at most OPK_AUDIT_PARTS parts, the last of which ends with a line break, by one writev(2). The file was opened to be read and
/// appended to. Where somebody was torn off in the middle of the last line, the new one begins with a line break. 0, or an errno: ENOSPC where the disk
/// is full, or less than `spare` bytes of it are left (or than a sixteenth, where that is less), EFBIG where the file would be larger than `largest`. May be called
/// in a signal handler.
int opk_audit_append(int file, const struct iovec *line, int count, int64_t largest, int64_t spare);
/// The same of a line in one part.
int opk_audit_append_line(int file, const uint8_t *line, size_t length, int64_t largest, int64_t spare);

// Watchdog.c

/// After so many seconds the process says its last words and ends; and where it cannot (it waits in the kernel for a file system that does not
/// answer), it is killed when the grace is over. Both are the kernel's own timers: no thread, no child.
void opk_watchdog_start(unsigned seconds, unsigned graceMilliseconds);
/// So many seconds from now instead.
void opk_watchdog_set(unsigned seconds, unsigned graceMilliseconds);
/// A page of a mapped file that is gone (somebody cut the file short) ends the process in the same way.
void opk_watchdog_catch_bus_errors(void);
/// What goes to the log, and to standard error where that is a terminal, if the process is cut short; and its status then. Where `hasStep`, the
/// number of the step stands between the two parts. Both are copied, and cut at 4096 and 1024 bytes.
void opk_last_words(
    int priority, const uint8_t *before, size_t beforeLength, const uint8_t *after, size_t afterLength, int hasStep, int status);
/// The step that is being taken.
void opk_last_words_step(int number);
/// What is appended to that file as well if the process is cut short: the time of day stands between the first two parts and, where `hasStep`, the step's
/// number between the last two. All are copied; one that is longer than there is room for (8 KiB in all) means that there is none, as does `file` -1.
void opk_last_words_audit(
    int file, int64_t largest, int64_t spare, const uint8_t *beforeTime, size_t beforeTimeLength, const uint8_t *beforeStep,
    size_t beforeStepLength, const uint8_t *after, size_t afterLength, int hasStep);

// Tally.c

#define OPK_TALLY_SIZE 4096
#define OPK_TALLY_BUCKETS 8
#define OPK_TALLY_COUNTS 96
/// Counters in a file that many processes share without a lock.
struct opk_tally;
/// Maps the file, for as long as the process lives. Null where it is not there, is not a plain file of this user's alone, or is not one page long.
/// A file of another `layout` is emptied.
struct opk_tally *opk_tally_open(const char *path, uint64_t layout);
/// A bucket of `burst` tokens, into which one more comes every `interval` milliseconds: 1 where a token was taken, 0 where there is none.
int opk_tally_take_token(struct opk_tally *tally, unsigned bucket, int64_t interval, int64_t burst);
/// So many events of the audit log could not be written, the first of them at that time, in seconds since 1970.
void opk_tally_lose(struct opk_tally *tally, uint64_t count, int64_t since);
/// How many that were, by whatever process, since this was asked last, and since when.
uint64_t opk_tally_take_lost(struct opk_tally *tally, int64_t *since);
/// So many more of that kind, the first of them at that time, in seconds since 1970.
void opk_tally_add(struct opk_tally *tally, unsigned index, uint64_t count, int64_t since);
int opk_tally_has_counts(const struct opk_tally *tally);
/// How many of that kind there were, and now are not.
uint64_t opk_tally_take_count(struct opk_tally *tally, unsigned index);
/// When the first of them was, in seconds since 1970, and 0 from now on. Where processes meet it may be a little late, or 0; no count is ever lost.
int64_t opk_tally_take_since(struct opk_tally *tally);

// Ring.c

#define OPK_RING_KINDS 4
#define OPK_RING_SLOTS 32
#define OPK_RING_TEXT 992
#define OPK_RING_SIZE 135168
struct opk_ring_entry {
    uint64_t number;
    int64_t time;
    size_t length;
    uint8_t text[OPK_RING_TEXT];
};
/// Writes a text, of which at most OPK_RING_TEXT bytes are kept, over the oldest one of its kind. 0, or -1 where the file is not there, is not a plain
/// file of this user's alone, or has not OPK_RING_SIZE bytes. A file that somebody cuts short meanwhile raises SIGBUS.
int opk_ring_write(const char *path, unsigned kind, int64_t time, const uint8_t *text, size_t length);
/// Copies the file, OPK_RING_SIZE bytes. 0, or an errno; EBADF for what is no such file.
int opk_ring_read(const char *path, uint8_t *bytes);
/// 1 where the slot of such a copy holds a whole text.
int opk_ring_slot(const uint8_t *bytes, unsigned kind, unsigned index, struct opk_ring_entry *entry);

// LocalTime.c

/// By how many seconds local time is ahead of UTC at `count` points in time, the first of them `first` (seconds since 1970) and each `step` after the
/// one before, in the zone whose file (RFC 9636) is at `path`, which is absolute. The variable TZ is that zone while it works, and then again what it
/// was: no other thread may look at the environment meanwhile. 0, or -1 where it cannot be told.
int opk_zone_offsets(const char *path, int64_t first, int64_t step, int32_t *offsets, size_t count);

// Clock.c

/// Whether the kernel knows that something keeps the clock right: 1, 0, or -1 where it cannot be asked.
int opk_clock_is_synchronised(void);

// Terminal.c

/// How many characters the terminal shows. 0, or -1 where the descriptor is no terminal or does not know.
int opk_terminal_size(int descriptor, int *columns, int *rows);
/// From here on the terminal does not show what is typed, and gives each byte at once: a line may be longer than the 4095 bytes that it else
/// keeps of one. Ctrl-C still interrupts; Ctrl-Z does nothing. `marksPastes`: whether it is asked to mark what is pasted (bracketed paste), which it
/// must understand. 0, or -1 where the descriptor is no terminal.
int opk_terminal_hide_input(int descriptor, int marksPastes);
/// The terminal as it was before; what comes in until it is quiet is thrown away.
void opk_terminal_show_input(void);
/// From here on Ctrl-C (and SIGTERM, SIGHUP, SIGQUIT) puts the terminal right and writes these words, at most 256 bytes, to standard error before
/// it ends the process by that signal: a shell sees status 130.
void opk_interrupt_watch(const uint8_t *words, size_t length);
/// As it was before.
void opk_interrupt_unwatch(void);
// Keyring.c: the kernel's keyring of this user (@u), where a system has one; else ENOSYS.

/// Puts a secret there under that description, in the place of one that is there, readable by this user's processes alone; gone after so many
/// seconds, or with 0 only when the machine starts anew. 0, or an errno.
int opk_keyring_set(const char *description, const uint8_t *bytes, size_t length, unsigned seconds);
/// How many bytes the secret has, of which at most `size` are copied; -1 with errno set (ENOKEY: there is none).
ssize_t opk_keyring_get(const char *description, uint8_t *bytes, size_t size);
/// 0, or an errno (ENOKEY: there is none).
int opk_keyring_remove(const char *description);
/// Whether this user's keyring can be reached: 0, or an errno.
int opk_keyring_probe(void);
/// The permission bits of the key of that description (keyctl_setperm(3)); -1 where there is none.
long opk_keyring_permissions(const char *description);

// Stop.c

#define OPK_STOP_AT_ONCE 0
/// When what goes on has ended, but after 0.7 seconds at the latest: an answer is awaited that will not come twice.
#define OPK_STOP_SOON 1
/// When what goes on has ended: files are written.
#define OPK_STOP_LATER 2
/// From here on SIGTERM and SIGINT end the process with status 0, when `opk_stop_set` allows it. 0 or -1.
int opk_stop_catch(void);
void opk_stop_set(int state);
/// Until that time by the wall clock, in seconds since 1970.
void opk_sleep_until(int64_t seconds);

// Follow.c

/// From here on Ctrl-C and SIGTERM are noted instead of ending the process; a second one ends it. Also SIGHUP.
void opk_follow_begin(void);
/// As it was before.
void opk_follow_end(void);
/// Waits so long, or until one of them comes. 1 where one has come, else 0.
int opk_follow_wait(int milliseconds);
/// The same at once.
int opk_follow_noted(void);
