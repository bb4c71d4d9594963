// libyaml as Policy sees it.
#pragma once
#include <yaml.h>
