//! The program: an allocator, then what the arguments ask for. It decides nothing.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sluice::tools::cli::run()
}
