//! The configuration file: read, checked, composed.
