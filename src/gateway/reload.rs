//! SIGHUP: the configuration read again. Rules, prices, tenants and paces change at once; a wrong file changes nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinError;

use crate::carrier;
use crate::clock::Clock;
use crate::config::Config;
use crate::gateway::compose::{self, Numbers};
use crate::gateway::opening::number_all;
use crate::gateway::running::{self, Running};
use crate::gateway::spine::Shared;
use crate::ingress::accept::Rules;
use crate::message::CarrierId;
use crate::store::disk::RealDisk;
use crate::store::keys::Keys;

/// How long the core may take to give new names their numbers.
const PATIENCE: Duration = Duration::from_secs(5);

/// A configuration that may be put to use.
pub(super) struct Reloaded {
    config: Config,
    numbers: Numbers,
    rules: Rules,
}

/// What reads it, aside: thousands of new tenants mean thousands of files, and meanwhile signals are heard and the watchdog is fed.
pub(super) struct Reload {
    path: PathBuf,
    shared: Arc<Shared>,
    keys: Arc<Keys<RealDisk>>,
    clock: Clock,
}

impl Reload {
    /// Reads the configuration again and makes ready what it needs. Nothing is in force yet; says why if that fails.
    pub(super) fn run(self) -> Option<Reloaded> {
        match Config::load(&self.path) {
            Ok((config, warnings)) => {
                warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                self.make_ready(config).map_err(stays).ok()
            }
            Err(errors) => {
                errors.iter().for_each(|error| tracing::error!("{error}"));
                tracing::error!("the configuration stays as it was");
                None
            }
        }
    }

    fn make_ready(&self, config: Config) -> Result<Reloaded, String> {
        let numbers = loop {
            if let Some(numbers) = self.number(&config)? {
                break numbers;
            }
        };
        let rules = compose::rules(&config, &numbers).map_err(|error| error.to_string())?;
        running::keys_ready(&self.keys, &numbers, self.clock).map_err(|error| error.to_string())?;
        Ok(Reloaded { config, numbers, rules })
    }

    /// Gives new names their numbers; `None` if one group has no room for all names.
    fn number(&self, config: &Config) -> Result<Option<Numbers>, String> {
        let (sender, receiver) = mpsc::channel();
        let named = config.clone();
        // A core that waits for room comes to this much later; by then nobody may want it.
        let waiting = Arc::new(());
        let wanted = Arc::downgrade(&waiting);
        self.shared.send(Box::new(move |core, group| {
            if wanted.strong_count() > 0 {
                let _ = sender.send(number_all(&named, core, group));
            }
        }));
        receiver.recv_timeout(PATIENCE).map_err(|_| "the core does not answer".to_owned())
    }
}

fn stays(error: impl std::fmt::Display) {
    tracing::error!(%error, "the configuration stays as it was");
}

impl Running {
    /// What reads the configuration again.
    pub(super) fn reload(&self) -> Reload {
        let _ = sd_notify::notify(&[NotifyState::Reloading]);
        let (shared, keys) = (self.shared.clone(), self.keys.clone());
        Reload { path: self.path.clone(), shared, keys, clock: self.clock }
    }

    /// Ends a reload, with what it has made ready.
    pub(super) fn end_reload(&mut self, done: Result<Option<Reloaded>, JoinError>) {
        match done {
            Ok(Some(reloaded)) => self.put_to_use(reloaded),
            Ok(None) => {}
            Err(died) => stays(died),
        }
        let _ = sd_notify::notify(&[NotifyState::Ready]);
    }

    fn put_to_use(&mut self, reloaded: Reloaded) {
        let Reloaded { config, numbers, rules } = reloaded;
        self.name_what_needs_a_restart(&config);
        self.names.add(&numbers.tenants, &numbers.carriers);
        let rates = compose::tenant_rates(&config, &numbers);
        let terms = compose::carrier_terms(&config, &numbers);
        // Before the rules, so that no message under the new ones comes to the core ahead of them.
        self.shared.send(Box::new(move |core, _| {
            rates.into_iter().for_each(|(tenant, rate)| core.set_tenant_rate(tenant, rate));
            terms.into_iter().for_each(|(carrier, terms)| core.set_carrier_terms(carrier, terms));
        }));
        self.numbers = numbers;
        self.rules.store(Arc::new(rules));
        tracing::info!("the configuration has been reloaded");
    }

    /// `self.config` stays that of the start, so it is told at each reload until then what is not yet in force.
    fn name_what_needs_a_restart(&self, config: &Config) {
        let bound = |config: &Config| -> Vec<carrier::Config> {
            config.carriers.iter().map(|carrier| compose::carrier(carrier, CarrierId::default())).collect()
        };
        let changed = [
            ("[node]", config.node != self.config.node),
            ("[store]", config.store != self.config.store),
            ("[smpp]", config.smpp != self.config.smpp),
            ("[http]", config.http != self.config.http),
            ("what binds to a [[carrier]]", bound(config) != bound(&self.config)),
        ];
        for (what, _) in changed.iter().filter(|(_, changed)| *changed) {
            tracing::warn!("{what} is not as it was at the start; that takes effect at the next one");
        }
    }
}
