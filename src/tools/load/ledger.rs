//! What a run was promised, line by line in a file, written at the end of each batch and never held back: whoever
//! reads it after a crash finds every message that was acknowledged.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of lines that is only appended to.
#[derive(Debug)]
pub(crate) struct Ledger {
    file: File,
    path: PathBuf,
    /// The lines of the batch in hand.
    pub(crate) batch: Vec<u8>,
}

impl Ledger {
    pub(crate) fn open(path: &Path) -> Result<Ledger, String> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Ledger { file, path: path.to_owned(), batch: Vec::new() })
    }

    /// Writes the lines of the batch, whole ones only.
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.batch);
        self.batch.clear();
        written.map_err(|error| format!("cannot write {}: {error}", self.path.display()))
    }
}
