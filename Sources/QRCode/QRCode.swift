/// A QR code for a terminal.
public enum QRCode {}
