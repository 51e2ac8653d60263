//! What tenants are told: receipts on their binds.
