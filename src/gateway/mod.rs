//! Builds the stages and their threads; the order of start and stop.
