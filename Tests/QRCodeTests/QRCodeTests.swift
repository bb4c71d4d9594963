import Testing
import QRCode

struct QRCodeTests {}
