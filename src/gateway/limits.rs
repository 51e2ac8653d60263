//! What the system lets this process have: descriptors, shared out so that the store and the carriers never lack one, and no core dumps.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Descriptors that are kept from both ports beside those of carriers and segments: for the archive (64), segments that are read back or
/// come next, CDR files, keys, and connections that are ending.
const KEPT: u64 = 128;

/// How many connections each port takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Doors {
    pub(super) binds_max: u32,
    pub(super) unbound_max: u32,
    pub(super) connections_max: u32,
}

/// Takes as many descriptors as may be had, and forbids core dumps: memory holds texts, passwords and keys.
pub(super) fn prepare() {
    let core = getrlimit(Resource::Core);
    let files = getrlimit(Resource::Nofile);
    let wanted = [
        (Resource::Core, Rlimit { current: Some(0), ..core }),
        (Resource::Nofile, Rlimit { current: files.maximum, ..files }),
    ];
    for (resource, limit) in wanted {
        if let Err(error) = setrlimit(resource, limit) {
            tracing::warn!(?resource, %error, "a limit of the process cannot be set");
        }
    }
}

/// What is kept from both ports. Each segment in use stays open.
fn kept(config: &Config) -> u64 {
    let carriers: u64 = config.carriers.iter().map(|carrier| 2 * u64::from(carrier.binds) + 1).sum();
    let segments = config.store.disk_octets_max / config.store.segment_octets;
    KEPT + carriers + segments
}

impl Doors {
    /// What the configuration asks for, as far as there are descriptors; says so if there are too few.
    pub(super) fn open(config: &Config) -> Doors {
        let may = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let kept = kept(config);
        let wanted = Doors {
            binds_max: config.smpp.binds_max,
            unbound_max: config.smpp.unbound_max,
            connections_max: config.http.connections_max,
        };
        let doors = wanted.within(may.saturating_sub(kept));
        if doors != wanted {
            let (binds, unbound, connections) = (doors.binds_max, doors.unbound_max, doors.connections_max);
            let enough = wanted.sum() + kept;
            tracing::warn!(
                "the process may have {may} descriptors, too few for [smpp] binds_max and unbound_max and [http] connections_max: \
                 taking {binds}, {unbound} and {connections}. Set LimitNOFILE={enough} (ulimit -n) or lower them"
            );
        }
        doors
    }

    /// The same, each lowered in proportion where all together are more than `sum_max`; each is 1 at least.
    fn within(self, sum_max: u64) -> Doors {
        let sum = self.sum();
        let share = |wanted: u32| {
            let share = u64::from(wanted) * sum_max.min(sum) / sum.max(1);
            u32::try_from(share).unwrap_or(wanted).max(1)
        };
        Doors {
            binds_max: share(self.binds_max),
            unbound_max: share(self.unbound_max),
            connections_max: share(self.connections_max),
        }
    }

    fn sum(self) -> u64 {
        u64::from(self.binds_max) + u64::from(self.unbound_max) + u64::from(self.connections_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_of_the_journal_has_its_descriptor() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let of = |disk_max: &str| {
            let path = dir.path().join("sluice.toml");
            let text = format!("[store]\nsegment = \"64MiB\"\ndisk_max = \"{disk_max}\"\n");
            std::fs::write(&path, text).expect("writable");
            kept(&Config::load(&path).expect("a configuration").0)
        };
        assert_eq!(of("64GiB") - of("1GiB"), 1_008);
    }

    #[test]
    fn descriptors_are_shared_out_in_proportion() {
        let wanted = Doors { binds_max: 1_000, unbound_max: 500, connections_max: 500 };
        assert_eq!(wanted.within(2_000), wanted);
        assert_eq!(wanted.within(200), Doors { binds_max: 100, unbound_max: 50, connections_max: 50 });
        assert_eq!(wanted.within(0), Doors { binds_max: 1, unbound_max: 1, connections_max: 1 });
        let all = Doors { binds_max: u32::MAX, unbound_max: u32::MAX, connections_max: u32::MAX };
        assert!(all.within(1 << 20).sum() <= 1 << 20);
    }
}
