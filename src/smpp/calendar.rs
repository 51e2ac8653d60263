//! The Gregorian calendar from 1970 on, as far as time strings and receipts need it: no zones, no leap seconds.

/// Microseconds of a second.
pub const SECOND_MICROS: u64 = 1_000_000;

/// Microseconds of a day.
pub const DAY_MICROS: u64 = 86_400 * SECOND_MICROS;

/// Days from 0000-03-01, where the year's days can be counted with the leap day last, to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

/// Days of the 400 years after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// A date and time of day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// 1970 or later.
    pub year: u64,
    /// 1 to 12.
    pub month: u64,
    /// 1 to 31.
    pub day: u64,
    /// 0 to 23.
    pub hour: u64,
    /// 0 to 59.
    pub minute: u64,
    /// 0 to 59.
    pub second: u64,
}

impl Civil {
    /// The date and time of a number of microseconds since 1970.
    pub fn of(micros: u64) -> Civil {
        let seconds = micros / SECOND_MICROS;
        let days = seconds / 86_400 + DAYS_TO_1970;
        let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
        // Each term takes back the leap days that the plain division by 365 would count as years.
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Civil { year, month, day, hour: seconds / 3_600 % 24, minute: seconds / 60 % 60, second: seconds % 60 }
    }

    /// Whether such a date and time exists.
    pub fn is_valid(&self) -> bool {
        self.year >= 1970
            && (1..=12).contains(&self.month)
            && (1..=days_of_month(self.year, self.month)).contains(&self.day)
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 59
    }

    /// Microseconds since 1970 of a date and time that is valid; at most what 64 bits hold.
    pub fn micros(&self) -> u64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, year_of_era) = (year / 400, year % 400);
        let month_from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * ERA_DAYS + day_of_era - DAYS_TO_1970;
        let seconds = days * 86_400 + self.hour * 3_600 + self.minute * 60 + self.second;
        seconds.saturating_mul(SECOND_MICROS)
    }

    /// The same day and time some months later, or the last day of that month.
    pub fn plus_months(&self, months: u64) -> Civil {
        let months = self.year * 12 + self.month - 1 + months;
        let (year, month) = (months / 12, months % 12 + 1);
        Civil { year, month, day: self.day.min(days_of_month(year, month)), ..*self }
    }
}

fn days_of_month(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
