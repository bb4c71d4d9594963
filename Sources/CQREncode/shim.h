// libqrencode, as QRCode sees it.
#pragma once
#include <qrencode.h>
