//! Taking what is whole out of a damaged store into a new directory, and saying exactly what was lost.
//! Groups are copied byte by byte and keep their segments, so that each segment still opens with its checkpoint. Where
//! groups were lost an empty group is written that declares the gap; without one a journal refuses to open over it.

use std::io;

use crate::store::disk::{Disk, DiskFile, Mode};
use crate::store::error::Error;
use crate::store::inspect::{self, Item, Report};
use crate::store::journal;
use crate::store::record::{GROUP_HEADER_BYTES, GroupHeader, group_stride};
use crate::store::recovery::disk_error;
use crate::store::segment::{self, DATA_START, FOLDER, SegmentHeader};

/// Copies every whole group of the store on `from`, which is not running, and its keys to `to`, which must hold no
/// store yet. The report tells what was lost; `to` opens whatever it says.
pub fn salvage<D: Disk, E: Disk>(from: &D, to: &E) -> Result<Report, Error> {
    let _lock = journal::lock(to)?;
    to.create_dir(FOLDER).map_err(disk_error(to, "create", FOLDER))?;
    if !to.list(FOLDER).map_err(disk_error(to, "list", FOLDER))?.is_empty() {
        let what = format!("{} already holds a journal; name a new directory", to.path(FOLDER).display());
        return Err(Error::Config { what });
    }
    copy_keys(from, to)?;
    let mut copy = Copy { to, open: None, skipped: Vec::new(), expected: None };
    let report = inspect::look(from, |item| match item {
        Item::Segment { epoch, bytes, exists } => copy.segment(epoch, bytes, exists),
        Item::Group { header, raw, .. } => copy.group(&header, raw),
    })?;
    copy.close()?;
    to.sync_dir(FOLDER).map_err(disk_error(to, "sync", FOLDER))?;
    Ok(report)
}

/// A segment being written.
struct Open<F> {
    epoch: u32,
    bytes: u32,
    file: F,
    end: u32,
}

struct Copy<'t, E: Disk> {
    to: &'t E,
    open: Option<Open<E::File>>,
    /// Segments seen since the last group, with their sizes; written only once a group follows.
    skipped: Vec<(u32, u32)>,
    expected: Option<(u64, u64)>,
}

/// The size of a segment whose file is missing.
const MISSING_BYTES: u32 = 1 << 20;

impl<E: Disk> Copy<'_, E> {
    fn segment(&mut self, epoch: u32, bytes: u32, exists: bool) -> Result<(), Error> {
        self.skipped.push((epoch, if exists { bytes } else { MISSING_BYTES }));
        Ok(())
    }

    fn group(&mut self, header: &GroupHeader, raw: &[u8]) -> Result<(), Error> {
        let skipped = std::mem::take(&mut self.skipped);
        for (epoch, bytes) in skipped {
            if epoch == header.epoch {
                self.start(epoch, bytes)?;
            } else if let Some((number, fact)) = self.expected {
                // All groups of this segment are lost; its number must still be there, with a group in it.
                self.start(epoch, bytes)?;
                self.gap(number, fact)?;
            }
        }
        let found = (header.number, header.first_fact);
        // A group that declares a gap may stand where it was.
        if self.expected.is_some_and(|expected| expected != found) && header.records > 0 {
            self.gap(header.number - 1, header.first_fact)?;
        }
        self.put(raw)?;
        self.expected = Some((header.number + 1, header.first_fact + u64::from(header.records)));
        Ok(())
    }

    fn start(&mut self, epoch: u32, bytes: u32) -> Result<(), Error> {
        self.close()?;
        let name = segment::segment_name(epoch);
        let file = self.to.open(&name, Mode::CreateNew).map_err(disk_error(self.to, "create", &name))?;
        let header = SegmentHeader { epoch, segment_bytes: bytes };
        let written = file
            .reserve(u64::from(bytes))
            .and_then(|()| file.set_len(u64::from(bytes)))
            .and_then(|()| file.write_all_at(&header.encode(), 0));
        written.map_err(disk_error(self.to, "write", &name))?;
        self.open = Some(Open { epoch, bytes, file, end: DATA_START });
        Ok(())
    }

    /// Declares that the groups before `number + 1` and the records before `fact` are lost.
    fn gap(&mut self, number: u64, fact: u64) -> Result<(), Error> {
        let epoch = self.open.as_ref().map_or(0, |open| open.epoch);
        let header = GroupHeader { epoch, number, first_fact: fact, records: 0, length: 0 };
        self.expected = Some((number + 1, fact));
        self.put(&header.encode(&[]))
    }

    fn put(&mut self, group: &[u8]) -> Result<(), Error> {
        let to = self.to;
        let open = self.open.as_mut().expect("a group is passed after its segment");
        let name = segment::segment_name(open.epoch);
        let stride = group_stride(group.len() - GROUP_HEADER_BYTES) as u32;
        debug_assert!(open.end + stride <= open.bytes, "what is copied and declared is no more than what was there");
        open.file.write_all_at(group, u64::from(open.end)).map_err(disk_error(to, "write", &name))?;
        open.end += stride;
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let name = segment::segment_name(open.epoch);
        open.file.sync().map_err(disk_error(self.to, "sync", &name)).map(|_| ())
    }
}

/// Copies the wrapped keys and the master key's file, without which the messages cannot be opened, and how far CDR lines have been
/// written, without which they would be written once more.
fn copy_keys<D: Disk, E: Disk>(from: &D, to: &E) -> Result<(), Error> {
    const KEY_BYTES_MAX: usize = 4096;
    let mut names: Vec<String> = vec!["master.key".into(), "cdr.position".into()];
    match from.list("keys") {
        Ok(keys) => names.extend(keys.iter().map(|name| format!("keys/{name}"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(disk_error(from, "list", "keys")(error)),
    }
    to.create_dir("keys").map_err(disk_error(to, "create", "keys"))?;
    for name in names {
        let content = match from.read_whole(&name, KEY_BYTES_MAX) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(disk_error(from, "read", &name)(error)),
        };
        to.write_whole(&name, &content).map_err(disk_error(to, "write", &name))?;
    }
    Ok(())
}
