//! The program: arguments, then the command asked for.

fn main() {}
