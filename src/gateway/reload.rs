//! SIGHUP: the configuration read again. Rules, prices, tenants and paces change at once; a wrong file changes nothing.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::carrier;
use crate::config::Config;
use crate::gateway::compose::{self, Numbers};
use crate::gateway::opening::number_all;
use crate::gateway::running::Running;
use crate::message::CarrierId;

/// How long the core may take to give new names their numbers.
const PATIENCE: Duration = Duration::from_secs(5);

impl Running {
    /// Reads the configuration again and puts it to use.
    pub(super) fn reload(&mut self) {
        let _ = sd_notify::notify(&[NotifyState::Reloading]);
        match Config::load(&self.path) {
            Ok((config, warnings)) => {
                warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                match self.put_to_use(config) {
                    Ok(()) => tracing::info!("the configuration has been reloaded"),
                    Err(error) => tracing::error!(error, "the configuration stays as it was"),
                }
            }
            Err(errors) => {
                errors.iter().for_each(|error| tracing::error!("{error}"));
                tracing::error!("the configuration stays as it was");
            }
        }
        let _ = sd_notify::notify(&[NotifyState::Ready]);
    }

    fn put_to_use(&mut self, config: Config) -> Result<(), String> {
        self.name_what_needs_a_restart(&config);
        let numbers = loop {
            if let Some(numbers) = self.number(&config)? {
                break numbers;
            }
        };
        let named = numbers.tenants.iter().map(|(tenant, name)| (*tenant, name.as_str()));
        self.keys.prepare(named, self.clock.now().day()).map_err(|error| error.to_string())?;
        let rules = compose::rules(&config, &numbers).map_err(|error| error.to_string())?;
        self.names.add(&numbers.tenants, &numbers.carriers);
        self.numbers = numbers;
        self.rules.store(Arc::new(rules));
        Ok(())
    }

    /// Gives new names their numbers and puts limits to use; `None` if one group has no room for all names.
    fn number(&self, config: &Config) -> Result<Option<Numbers>, String> {
        let (sender, receiver) = mpsc::channel();
        let named = config.clone();
        self.shared.send(Box::new(move |core, group| {
            let numbers = number_all(&named, core, group);
            if let Some(numbers) = &numbers {
                for (tenant, rate) in compose::tenant_rates(&named, numbers) {
                    core.set_tenant_rate(tenant, rate);
                }
                for (carrier, terms) in compose::carrier_terms(&named, numbers) {
                    core.set_carrier_terms(carrier, terms);
                }
            }
            let _ = sender.send(numbers);
        }));
        receiver.recv_timeout(PATIENCE).map_err(|_| "the core does not answer".to_owned())
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
