//! Programs around the daemon: demo, load, carrier simulator, inspect, send.
