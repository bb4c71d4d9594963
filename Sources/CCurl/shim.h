// libcurl as HTTP sees it.
#pragma once
#include <curl/curl.h>
