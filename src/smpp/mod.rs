//! SMPP 3.3, 3.4 and 5.0, sans-IO: a library of its own that imports nothing else of this crate.
