//! Opens the store and brings the core back to where it was. No port is open yet.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::core::{self, Core, Group};
use crate::dashboard::metrics::Numbers as Metrics;
use crate::exchange::Exchange;
use crate::gateway::compose;
use crate::gateway::compose::Numbers;
use crate::gateway::spine::{Gathering, Progress, Shared, Spine};
use crate::gateway::start_error::StartError;
use crate::message::LinkId;
use crate::seal::MasterKey;
use crate::store::disk::RealDisk;
use crate::store::error::Error as StoreError;
use crate::store::journal::{self, Journal};
use crate::store::keys::Keys;
use crate::store::recovery::Replay;

/// The store, open, with the core that its journal tells.
pub(super) struct Opened {
    pub spine: Spine<RealDisk>,
    pub keys: Arc<Keys<RealDisk>>,
    pub numbers: Numbers,
    pub reader: LinkId,
    pub history: LinkId,
}

/// Opens the journal and the keys, replays, and numbers what the configuration names.
pub(super) fn open(
    config: &Config,
    exchange: &Arc<Exchange>,
    clock: Clock,
    metrics: Arc<Metrics>,
) -> Result<Opened, StartError> {
    let disk = || disk(&config.node.data_dir);
    let (journal, mut replay) = Journal::open(disk()?, journal_config(config))?;
    let master =
        config.node.key.as_ref().map(|key| MasterKey::from_hex(&key.0)).transpose().map_err(StartError::Key)?;
    let keys = Keys::open(disk()?, config.node.shard, master, clock.now(), journal.next_fact() == 1)?;
    let (reader, _) = exchange.open();
    let (journal_link, _) = exchange.open();
    let (history, _) = exchange.open();
    let hash: [u8; 16] = keys.derive("hash of carriers' ids");
    let (low, high) = hash.split_at(8);
    let word = |octets: &[u8]| u64::from_le_bytes(octets.try_into().expect("eight octets"));
    let mut core = Core::new(core_config(config, reader, journal_link, history), [word(low), word(high)], clock.now());
    replay_all(&mut core, &mut replay)?;
    core.number_from(clock.now());
    let gathering = Gathering { enough: config.store.group_facts as usize, linger: config.store.linger };
    let mut spine = Spine {
        core,
        journal,
        exchange: exchange.clone(),
        shared: Arc::new(Shared::default()),
        clock,
        metrics,
        gathering,
        journal_link,
        group: Group::default(),
        progress: Progress::default(),
        retired: Vec::new(),
    };
    // What replay has left in doubt is met by the terms of its carrier.
    for (carrier, terms) in compose::carrier_terms(config, &numbers_of(&spine.core)) {
        spine.core.set_carrier_terms(carrier, terms);
    }
    spine.line_up()?;
    let numbers = spine.number(config)?;
    Ok(Opened { spine, keys: Arc::new(keys), numbers, reader, history })
}

pub(super) fn disk(path: &Path) -> Result<RealDisk, StartError> {
    RealDisk::open(path).map_err(|source| StartError::DataDir { path: path.display().to_string(), source })
}

fn journal_config(config: &Config) -> journal::Config {
    let segments_max = config.store.disk_octets_max / config.store.segment_octets;
    journal::Config {
        segment_bytes: u32::try_from(config.store.segment_octets).unwrap_or(1 << 30),
        segments_max: Some(u32::try_from(segments_max).unwrap_or(u32::MAX)),
        ..journal::Config::default()
    }
}

fn core_config(config: &Config, reader: LinkId, journal: LinkId, history: LinkId) -> core::Config {
    let segments_max = config.store.disk_octets_max / config.store.segment_octets;
    core::Config {
        arena_octets: usize::try_from(config.store.arena_octets).unwrap_or(usize::MAX),
        messages_max: config.node.messages_max,
        owed_max: config.node.receipts_max,
        // Recycling starts at a quarter of the budget, so that twice that is still below it.
        segments_max: u32::try_from(segments_max / 4).unwrap_or(u32::MAX).max(2),
        reader,
        journal,
        history,
        shard: config.node.shard,
        ..core::Config::default()
    }
}

fn replay_all(core: &mut Core, replay: &mut Replay<RealDisk>) -> Result<(), StartError> {
    if let Some(cut) = replay.cut() {
        let (segment, offset) = (cut.place.segment, cut.place.offset);
        tracing::warn!(segment, offset, "the last group was not finished before the stop; nobody was told of it");
    }
    tracing::info!(octets = replay.bytes_left(), "reading the journal");
    while let Some(group) = replay.next_group()? {
        let (segment, offset) = (group.place.segment, group.place.offset);
        let replayed = core.replay(group.place, group.payload);
        replayed.map_err(|source| StartError::Record { segment, offset, source })?;
    }
    if core.ledger_faults() > 0 {
        let faults = core.ledger_faults();
        tracing::error!(faults, "the ledger does not agree with itself, as after a salvage; its last checkpoint holds");
    }
    Ok(())
}

impl Spine<RealDisk> {
    /// Lines up what replay left, in as many groups as it takes.
    fn line_up(&mut self) -> Result<(), StoreError> {
        let mut from = Some(0);
        while let Some(index) = from {
            let next = self.journal.next_place_beyond()?;
            if next.opens_segment {
                self.core.checkpoint(next.place, &mut self.group);
            }
            from = self.core.line_up(index, self.clock.now(), next.place, &mut self.group);
            self.close_group()?;
        }
        Ok(())
    }

    /// Lets facts be numbered on from `known`, which the CDR files or the archive have come to, if the journal ends before it: it was put
    /// back from an older copy, or its last groups are gone. Else they would pass over what happens now.
    pub(super) fn catch_up_with(&mut self, known: u64) -> Result<(), StoreError> {
        let next = self.journal.next_fact();
        if known <= next {
            return Ok(());
        }
        tracing::error!(
            facts = known - next,
            "the journal ends before what CDR files or history know: it is an older copy, or has lost its end; messages of that time may be sent and billed again"
        );
        let place = self.journal.next_place_beyond()?;
        if place.opens_segment {
            self.core.checkpoint(place.place, &mut self.group);
            self.close_group()?;
            self.journal.next_place_beyond()?;
        }
        self.journal.declare_lost(known)
    }

    /// Gives every tenant and carrier of the configuration its number, durably.
    fn number(&mut self, config: &Config) -> Result<Numbers, StoreError> {
        loop {
            let next = self.journal.next_place_beyond()?;
            if next.opens_segment {
                self.core.checkpoint(next.place, &mut self.group);
            }
            let numbers = number_all(config, &mut self.core, &mut self.group);
            self.close_group()?;
            if let Some(numbers) = numbers {
                return Ok(numbers);
            }
        }
    }
}

/// Gives what the configuration names its numbers, and lists all that have one; `None` if the group is full first: the next one goes on.
pub(super) fn number_all(config: &Config, core: &mut Core, group: &mut Group) -> Option<Numbers> {
    let full = |group: &Group| group.records.octets().len() >= core::GROUP_OCTETS_MAX / 2;
    for tenant in &config.tenants {
        if full(group) {
            return None;
        }
        core.intern_tenant(&tenant.id, group);
    }
    for carrier in &config.carriers {
        if full(group) {
            return None;
        }
        core.intern_carrier(&carrier.id, group);
    }
    Some(numbers_of(core))
}

/// All that have a number by now.
fn numbers_of(core: &Core) -> Numbers {
    Numbers {
        tenants: core.tenants().map(|(id, name)| (id, name.to_owned())).collect(),
        carriers: core.carriers().map(|(id, name)| (id, name.to_owned())).collect(),
    }
}
