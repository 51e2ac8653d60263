//! An array that grows by chunks and never moves: there is no moment at which a million entries are copied.

use std::ops::{Index, IndexMut};

const CHUNK_BITS: u32 = 12;
const CHUNK_ENTRIES: u32 = 1 << CHUNK_BITS;

/// A growable array of `T` in chunks of 4096 entries, indexed by `u32`.
#[derive(Debug)]
pub struct Chunks<T> {
    chunks: Vec<Box<[T]>>,
    len: u32,
}

impl<T: Default + Clone> Chunks<T> {
    /// An empty array; it holds no memory yet.
    pub fn new() -> Self {
        Chunks { chunks: Vec::new(), len: 0 }
    }

    /// How many entries there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends an entry and says where it stands.
    pub fn push(&mut self, entry: T) -> u32 {
        let index = self.len;
        self.ensure(index);
        self[index] = entry;
        index
    }

    /// Grows with default entries until `index` is one of them. It never shrinks.
    pub fn ensure(&mut self, index: u32) {
        assert!(index < u32::MAX, "an index is below 2^32 - 1");
        while self.chunks.len() <= (index >> CHUNK_BITS) as usize {
            self.chunks.push(vec![T::default(); CHUNK_ENTRIES as usize].into_boxed_slice());
        }
        self.len = self.len.max(index + 1);
    }

    /// The entry at `index`; it panics past the end, as a slice does.
    pub fn get(&self, index: u32) -> &T {
        &self.chunks[(index >> CHUNK_BITS) as usize][(index & (CHUNK_ENTRIES - 1)) as usize]
    }

    /// The entry at `index`, to be changed; it panics past the end, as a slice does.
    pub fn get_mut(&mut self, index: u32) -> &mut T {
        &mut self.chunks[(index >> CHUNK_BITS) as usize][(index & (CHUNK_ENTRIES - 1)) as usize]
    }
}

impl<T: Default + Clone> Default for Chunks<T> {
    fn default() -> Self {
        Chunks::new()
    }
}

impl<T: Default + Clone> Index<u32> for Chunks<T> {
    type Output = T;

    fn index(&self, index: u32) -> &T {
        self.get(index)
    }
}

impl<T: Default + Clone> IndexMut<u32> for Chunks<T> {
    fn index_mut(&mut self, index: u32) -> &mut T {
        self.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_where_they_are() {
        let mut chunks = Chunks::new();
        assert_eq!(chunks.push(7u32), 0);
        let first: *const u32 = chunks.get(0);
        for number in 1..20_000 {
            assert_eq!(chunks.push(number), number);
        }
        assert_eq!(first, std::ptr::from_ref(chunks.get(0)));
        assert_eq!((chunks[0], chunks[4095], chunks[4096], chunks[19_999]), (7, 4095, 4096, 19_999));
    }

    #[test]
    fn ensure_fills_with_defaults() {
        let mut chunks: Chunks<u64> = Chunks::new();
        assert!(chunks.is_empty());
        chunks.ensure(9000);
        chunks.ensure(3);
        assert_eq!((chunks.len(), chunks[9000]), (9001, 0));
        chunks[5] = 9;
        assert_eq!(chunks.push(1), 9001);
        assert_eq!(chunks[5], 9);
    }
}
