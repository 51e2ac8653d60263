//! Alphabets and segmentation, sans-IO: a library of its own that imports nothing else of this crate.
