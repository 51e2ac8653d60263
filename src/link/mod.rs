//! One SMPP session over a socket: read until dry, write once.
