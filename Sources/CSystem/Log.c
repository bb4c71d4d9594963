// syslog(3) for a program that must not be held by its log: glibc's waits for ever where the socket is full. Everything down to opk_log_words may be
// called in a signal handler.
#define _GNU_SOURCE
#include "CSystem.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#ifdef __APPLE__
#define LOG_SOCKET "/var/run/syslog"
#define MSG_NOSIGNAL 0
#else
#define LOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#endif

// Milliseconds of waiting for one line, in all.
#define PATIENCE 200

static int connected_to(const char *path, int type) {
    int log = socket(AF_UNIX, type, 0);
    if (log < 0) return -1;
    fcntl(log, F_SETFD, FD_CLOEXEC);
    // Also of a stream: where its server's queue is full, connect(2) would wait.
    fcntl(log, F_SETFL, O_NONBLOCK);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(log, (struct sockaddr *)&address, sizeof address) == 0) return log;
    int number = errno;
    close(log);
    errno = number;
    return -1;
}

static int connected(int type) { return connected_to(LOG_SOCKET, type); }

// Waits a little, and says how much of `left` remains. Without a clock, which a test may have changed: what was waited for is added up.
static int wait_for(int log, int left) {
    struct pollfd request = {.fd = log, .events = POLLOUT};
    if (log >= 0 && poll(&request, 1, 10) == 0) return left - 10;
    // Writable, they say, but others write too; or there is no socket yet.
    struct timespec pause = {.tv_nsec = 2000000};
    nanosleep(&pause, 0);
    return left - 2;
}

int opk_log_words(struct iovec *parts, int count) {
    int type = SOCK_DGRAM, left = PATIENCE, log = connected(type);
    // A server that wants a stream: lines in it end with NUL.
    if (log < 0 && errno == EPROTOTYPE) log = connected(type = SOCK_STREAM);
    while (log < 0 && errno == EAGAIN && left > 0) {
        left = wait_for(-1, left);
        log = connected(type);
    }
    if (log < 0) return -1;
    if (type == SOCK_STREAM) parts[count++] = (struct iovec){"", 1};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(log, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if ((errno != EAGAIN && errno != ENOBUFS) || left <= 0) break;
            left = wait_for(log, left);
            continue;
        }
        // A datagram goes whole or not at all, a stream may take a part.
        while (message.msg_iovlen > 0 && (size_t)sent >= message.msg_iov->iov_len) {
            sent -= (ssize_t)message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + sent;
            message.msg_iov->iov_len -= (size_t)sent;
        }
    }
    int result = message.msg_iovlen == 0 ? 0 : -1;
    close(log);
    return result;
}

int opk_log_line(int priority, const uint8_t *text, size_t length) {
    char head[64], stamp[32] = "";
    time_t now = time(0);
    struct tm local;
    // As in RFC 3164: "Nov 24 07:06:05 ". The program never leaves the C locale.
    if (localtime_r(&now, &local) != 0 && strftime(stamp, sizeof stamp, "%b %e %H:%M:%S ", &local) == 0) stamp[0] = 0;
    int size = snprintf(head, sizeof head, "<%d>%sopk-verify[%ld]: ", priority, stamp, (long)getpid());
    // One more for the stream's end.
    struct iovec parts[3] = {{head, (size_t)size}, {(void *)text, length}};
    return opk_log_words(parts, 2);
}

int opk_log_journal(const uint8_t *message, size_t length) {
#ifdef __linux__
    int left = PATIENCE, log = connected_to(JOURNAL_SOCKET, SOCK_DGRAM);
    if (log < 0) return -1;
    ssize_t sent;
    while ((sent = send(log, message, length, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0) {
        if (errno == EINTR) continue;
        if ((errno != EAGAIN && errno != ENOBUFS) || left <= 0) break;
        left = wait_for(log, left);
    }
    close(log);
    return sent < 0 ? -1 : 0;
#else
    (void)message, (void)length;
    return -1;
#endif
}

size_t opk_local_time(int64_t seconds, int withDate, char *buffer, size_t size) {
    time_t time = (time_t)seconds;
    struct tm local;
    if (localtime_r(&time, &local) == 0) return 0;
    return strftime(buffer, size, withDate ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local);
}
