//! Where a server listens, and where it is for its clients.

/// Where to listen.
#[derive(Debug, clap::Args)]
pub(crate) struct Address {
    /// The address to listen on, as --set server.host=…
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// The port to listen on, as --set server.port=…
    #[arg(long)]
    pub(crate) port: Option<String>,
    /// The path under which everything is, as --set `server.base_path=`…
    #[arg(long)]
    pub(crate) base_path: Option<String>,
}

impl Address {
    /// The settings of the command line, these among them.
    pub(crate) fn flags(&self, set: &[String]) -> Vec<String> {
        let flag = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("server.{name}={value}"))
        };
        let more = [
            flag("host", &self.host),
            flag("port", &self.port),
            flag("base_path", &self.base_path),
        ];
        let more = more.into_iter().flatten();
        set.iter().cloned().chain(more).collect()
    }
}
