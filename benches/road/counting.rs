//! An allocator that counts what each thread asks of it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
    /// How many of the next allocations are to show where they come from.
    static SHOW: Cell<u32> = const { Cell::new(0) };
}

/// The system's allocator, with a count of allocations and growths for each thread.
pub(crate) struct Counting;

// SAFETY: every call is handed on to the system's allocator as it came. The counters are constant-initialised and need no drop, so
// that reading them allocates nothing.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and what it gives back came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`, and what it gives came from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[expect(clippy::print_stderr, reason = "it was asked to show")]
fn count() {
    ASKED.set(ASKED.get() + 1);
    let show = SHOW.replace(0);
    if show > 0 {
        let before = ASKED.get();
        eprintln!("{}", Backtrace::force_capture());
        ASKED.set(before);
        SHOW.set(show - 1);
    }
}

/// Allocations of this thread while `work` ran.
pub(crate) fn count_in(work: impl FnOnce()) -> u64 {
    let before = ASKED.get();
    work();
    ASKED.get() - before
}

/// As [`count_in`], and the first `show` print where they come from.
pub(crate) fn show_in(show: u32, work: impl FnOnce()) -> u64 {
    SHOW.set(show);
    let count = count_in(work);
    SHOW.set(0);
    count
}
