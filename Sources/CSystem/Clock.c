#include "CSystem.h"
#ifdef __linux__
#include <sys/timex.h>
#endif

int opk_clock_is_synchronised(void) {
#ifdef __linux__
    struct timex clock = {0};
    if (adjtimex(&clock) < 0) return -1;
    return (clock.status & STA_UNSYNC) == 0;
#else
    return -1;
#endif
}
