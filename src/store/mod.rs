//! The durable side: journal, recovery, keys.
