//! Numbers for people and scrapers: reads snapshots, decides nothing.
