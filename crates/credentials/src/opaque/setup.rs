//! The server's side: its long-lived secret, and the two answers it gives with it.

use aws_lc_rs::hmac;
use opaque_ke::rand::{CryptoRng, RngCore};
use opaque_ke::{ServerLogin, ServerLoginParameters, ServerRegistration};
use stdx::{Rng, Secret};
use uuid::Uuid;

use super::{
    Chance, KeyStretching, LoginRequest, LoginResponse, LoginState, OpaqueError, OpaqueRecord,
    RegistrationRecord, RegistrationRequest, RegistrationResponse, RegistrationState, Suite,
    of_message,
};
use crate::OpaqueSetupKey;

/// Which set-up a record belongs to; counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SetupId(pub u32);

/// The secret that takes part in every registration and login: the seed of the oblivious function
/// and the server's key pair.
///
/// Made once. Without it no password can be proved any more; with it and the records, passwords can
/// be guessed. So it is stored sealed, and belongs into every backup.
pub struct ServerSetup {
    id: SetupId,
    inner: opaque_ke::ServerSetup<Suite>,
    nobody: Nobody,
}

/// The set-up for new records and those of older ones.
#[derive(Debug)]
pub struct ServerSetups {
    current: ServerSetup,
    previous: Vec<ServerSetup>,
}

/// What stands in for a user who does not exist, or has no record.
struct Nobody {
    /// Makes an identifier's credential id, so that the same question gets the same answer.
    credentials: hmac::Key,
    /// A record as any other, for an envelope that no password opens.
    record: RegistrationRecord,
}

impl ServerSetup {
    /// The length of what is sealed.
    pub const BYTES: usize = 128;

    /// A new set-up.
    pub fn generate(id: SetupId, rng: &Rng) -> Result<Self, OpaqueError> {
        Self::new(id, opaque_ke::ServerSetup::new(&mut Chance(rng)))
    }

    fn new(id: SetupId, inner: opaque_ke::ServerSetup<Suite>) -> Result<Self, OpaqueError> {
        let bytes = Secret::new(inner.serialize().to_vec());
        let nobody = Nobody::new(bytes.expose())?;
        Ok(Self { id, inner, nobody })
    }

    /// Which one it is; every record says it.
    #[must_use]
    pub fn id(&self) -> SetupId {
        self.id
    }

    /// For the database: it opens under the same key and as the same set-up only.
    #[must_use]
    pub fn seal(&self, key: &OpaqueSetupKey, rng: &Rng) -> Vec<u8> {
        let bytes = Secret::new(self.inner.serialize().to_vec());
        key.0.seal(&seal_name(self.id), bytes.expose(), rng)
    }

    /// Takes a set-up out of the database.
    pub fn open(id: SetupId, sealed: &[u8], key: &OpaqueSetupKey) -> Result<Self, OpaqueError> {
        let bytes = key
            .0
            .open(&seal_name(id), sealed)
            .map_err(|_| OpaqueError::Stored)?;
        Self::from_bytes(id, bytes.expose())
    }

    pub(crate) fn from_bytes(id: SetupId, bytes: &[u8]) -> Result<Self, OpaqueError> {
        if bytes.len() != Self::BYTES {
            return Err(OpaqueError::Stored);
        }
        let inner = opaque_ke::ServerSetup::deserialize(bytes).map_err(|_| OpaqueError::Stored)?;
        Self::new(id, inner)
    }

    /// The answer to a registration request, for any credential id.
    pub(crate) fn evaluate(
        &self,
        credential: &[u8],
        request: RegistrationRequest,
    ) -> Result<RegistrationResponse, OpaqueError> {
        ServerRegistration::start(&self.inner, request.0, credential)
            .map(|result| RegistrationResponse(result.message))
            .map_err(of_message)
    }

    /// The answer to a login request, for any credential id and record.
    pub(crate) fn answer(
        &self,
        credential: &[u8],
        record: &RegistrationRecord,
        request: LoginRequest,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(LoginResponse, ServerLogin<Suite>), OpaqueError> {
        let result = ServerLogin::start(
            rng,
            &self.inner,
            Some(ServerRegistration::finish(record.0.clone())),
            request.0,
            credential,
            ServerLoginParameters::default(),
        )
        .map_err(of_message)?;
        Ok((LoginResponse(result.message), result.state))
    }
}

impl std::fmt::Debug for ServerSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerSetup({}, ***)", self.id.0)
    }
}

impl ServerSetups {
    /// One set-up for new records, others to log in with.
    #[must_use]
    pub fn new(current: ServerSetup, previous: Vec<ServerSetup>) -> Self {
        Self { current, previous }
    }

    /// The set-up for new records.
    #[must_use]
    pub fn current(&self) -> &ServerSetup {
        &self.current
    }

    /// Begins to set a user's password. The user may not exist yet; the id is the credential's for
    /// good.
    pub fn start_registration(
        &self,
        user: Uuid,
        request: RegistrationRequest,
        stretching: KeyStretching,
    ) -> Result<(RegistrationResponse, RegistrationState), OpaqueError> {
        let response = self.current.evaluate(user.as_bytes(), request)?;
        let state = RegistrationState::new(user, self.current.id, stretching);
        Ok((response, state))
    }

    /// Begins a login with what somebody typed as a name, in normal form, and the account of that
    /// name if it has a record and may log in.
    ///
    /// Without one, the same work is done with a fake record, and the answer is as long and as
    /// stable: the same `identifier` keeps the same credential (RFC 9807 §10.9). Send with it the
    /// record's [`KeyStretching`], or the one of today's settings for nobody.
    pub fn start_login(
        &self,
        identifier: &str,
        account: Option<(Uuid, &OpaqueRecord)>,
        request: LoginRequest,
        rng: &Rng,
    ) -> Result<(LoginResponse, LoginState), OpaqueError> {
        // Made for everybody, used for nobody: both ways are of one length.
        let fake = self.current.nobody.credential(identifier);
        let (setup, credential, record) = match account {
            Some((user, record)) => {
                let setup = self.of(record.setup()).ok_or(OpaqueError::Stored)?;
                (setup, user, record.message())
            }
            None => (&self.current, fake, &self.current.nobody.record),
        };
        let (response, state) =
            setup.answer(credential.as_bytes(), record, request, &mut Chance(rng))?;
        let user = account.map(|(user, _)| user);
        Ok((response, LoginState::new(user, state)))
    }

    fn of(&self, id: SetupId) -> Option<&ServerSetup> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|setup| setup.id == id)
    }
}

impl Nobody {
    /// All of it follows from the set-up's bytes, so that it outlives a restart without being
    /// stored, and nobody without the set-up can make it.
    fn new(setup: &[u8]) -> Result<Self, OpaqueError> {
        let key = hmac::Key::new(hmac::HMAC_SHA512, setup);
        let make = |purpose: &str| hmac::sign(&key, purpose.as_bytes());
        // The last 32 bytes are a public key that the library made for this very end.
        let public_key = setup.last_chunk::<32>().ok_or(OpaqueError::Stored)?;
        let mut record = Vec::with_capacity(RegistrationRecord::BYTES);
        record.extend(public_key);
        record.extend(make("pilaster/opaque-nobody/masking-key/1").as_ref());
        record.extend(&make("pilaster/opaque-nobody/envelope-nonce/1").as_ref()[..32]);
        record.extend(make("pilaster/opaque-nobody/envelope-tag/1").as_ref());
        let record =
            opaque_ke::RegistrationUpload::deserialize(&record).map_err(|_| OpaqueError::Stored)?;
        let credentials = make("pilaster/opaque-nobody/credentials/1");
        Ok(Self {
            credentials: hmac::Key::new(hmac::HMAC_SHA256, credentials.as_ref()),
            record: RegistrationRecord(record),
        })
    }

    fn credential(&self, identifier: &str) -> Uuid {
        let mut bytes = [0; 16];
        let tag = hmac::sign(&self.credentials, identifier.as_bytes());
        bytes.copy_from_slice(&tag.as_ref()[..16]);
        Uuid::from_bytes(bytes)
    }
}

fn seal_name(id: SetupId) -> String {
    format!("opaque-setup/{}", id.0)
}
