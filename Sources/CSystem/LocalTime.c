#define _GNU_SOURCE // tm_gmtoff
#include "CSystem.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t zoneLock = PTHREAD_MUTEX_INITIALIZER;

static int fill(int64_t first, int64_t step, int32_t *offsets, size_t count) {
    for (size_t index = 0; index < count; index++) {
        time_t time = (time_t)(first + (int64_t)index * step);
        struct tm local;
        if (localtime_r(&time, &local) == 0) return -1;
        offsets[index] = (int32_t)local.tm_gmtoff;
    }
    return 0;
}

int opk_zone_offsets(const char *path, int64_t first, int64_t step, int32_t *offsets, size_t count) {
    char zone[256];
    int length = snprintf(zone, sizeof zone, ":%s", path);
    if (path[0] != '/' || length < 0 || length >= (int)sizeof zone) return -1;
    int result = -1;
    pthread_mutex_lock(&zoneLock);
    const char *current = getenv("TZ");
    char *before = current ? strdup(current) : NULL;
    if ((!current || before) && setenv("TZ", zone, 1) == 0) {
        tzset();
        result = fill(first, step, offsets, count);
        // What was there before: the lines of the log have the system's local time.
        if (before ? setenv("TZ", before, 1) : unsetenv("TZ")) result = -1;
        tzset();
    }
    free(before);
    pthread_mutex_unlock(&zoneLock);
    return result;
}
