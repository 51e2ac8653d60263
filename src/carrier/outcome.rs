//! What a carrier's command_status means for a part: the standard table, and what the operator says differs at this carrier.

use crate::command::Outcome;
use crate::smpp::status::{CommandStatus, StatusAction, StatusClass};

/// What becomes of a part that was answered with a status other than ESME_ROK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Treatment {
    /// The bind goes too fast: it slows down, and the part keeps its turn (quirks Q68 and Q69).
    SlowDown,
    /// Try again later; it counts as an attempt.
    Retry,
    /// The part is refused for good.
    Refuse,
}

/// How the statuses of one carrier are read.
#[derive(Clone, Debug, Default)]
pub struct Statuses {
    differ: Vec<(u32, Treatment)>,
}

impl Statuses {
    /// The standard table but for these codes (quirks Q72 and Q73).
    pub fn new(mut differ: Vec<(u32, Treatment)>) -> Statuses {
        differ.sort_unstable_by_key(|(status, _)| *status);
        differ.dedup_by_key(|(status, _)| *status);
        Statuses { differ }
    }

    /// What a status other than ESME_ROK asks for.
    pub fn treatment(&self, status: CommandStatus) -> Treatment {
        if let Ok(index) = self.differ.binary_search_by_key(&status.0, |(status, _)| *status) {
            return self.differ[index].1;
        }
        match (status.class(), status.action()) {
            (StatusClass::Throttle, _) => Treatment::SlowDown,
            (StatusClass::Temporary, _) | (_, StatusAction::Retry | StatusAction::SlowDown) => Treatment::Retry,
            _ => Treatment::Refuse,
        }
    }
}

impl Treatment {
    /// The outcome to report.
    pub fn outcome(self, status: CommandStatus) -> Outcome {
        match self {
            Treatment::SlowDown => Outcome::Later { status: status.0, counts: false },
            Treatment::Retry => Outcome::Later { status: status.0, counts: true },
            Treatment::Refuse => Outcome::Refused { status: status.0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_treated_by_the_table_unless_the_carrier_differs() {
        let standard = Statuses::default();
        for (status, treatment) in [
            (CommandStatus::RTHROTTLED, Treatment::SlowDown),
            (CommandStatus::RMSGQFUL, Treatment::SlowDown),
            (CommandStatus::RSYSERR, Treatment::Retry),
            (CommandStatus::RX_T_APPN, Treatment::Retry),
            (CommandStatus::RSERTYPUNAVAIL, Treatment::Retry),
            (CommandStatus::RINVBNDSTS, Treatment::Retry),
            (CommandStatus::RINVDSTADR, Treatment::Refuse),
            (CommandStatus::RSUBMITFAIL, Treatment::Refuse),
            (CommandStatus(0x55F), Treatment::Refuse),
        ] {
            assert_eq!(standard.treatment(status), treatment, "{status}");
        }
        let own = Statuses::new(vec![(0x55F, Treatment::SlowDown), (0x08, Treatment::Refuse)]);
        assert_eq!(own.treatment(CommandStatus(0x55F)), Treatment::SlowDown);
        assert_eq!(own.treatment(CommandStatus::RSYSERR), Treatment::Refuse);
        assert_eq!(own.treatment(CommandStatus::RTHROTTLED), Treatment::SlowDown);
    }
}
