//! Keys and authenticated encryption of addresses and bodies; keyed hashes for look-ups.
