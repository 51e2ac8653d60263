//! What is due, whose turn it is, how fast, and when again.
