/// The identity that a CI system gives to its jobs.
public enum CIToken {}
