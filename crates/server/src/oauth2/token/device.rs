//! The grant `device_code` (RFC 8628 §3.4): a device asks whether somebody has said yes.

use credentials::token::DeviceCode;
use oauth::client::Grant as GrantType;
use oauth::token::TokenRequest;
use serde_json::Value;
use stdx::Secret;
use store::devices;

use super::super::error::{invalid_grant, refusal};
use super::super::issue::{self, Granted, Making};
use super::{Asking, narrowed};
use crate::error::Refusal;
use crate::identity::of_store;

impl Asking<'_> {
    /// RFC 8628 §3.4 and §3.5.
    pub(super) async fn by_device(
        &self,
        request: &TokenRequest,
        code: &Secret<String>,
    ) -> Result<Value, Refusal> {
        let state = self.state;
        let client = &self.registered.client;
        let unknown = || invalid_grant("the device code is unknown, or was so long ago");
        let code = DeviceCode::parse(code.expose()).map_err(|_| unknown())?;
        let found = devices::find(&state.store, &code.hash()).await;
        let device = found
            .map_err(|error| of_store(&error))?
            .ok_or_else(unknown)?;
        let now = state.clock.now().as_second();
        let polled = device.waiting.poll(&client.id, now);
        if let Err(error) = polled.answer {
            // Another client's question changes nothing.
            if polled.grant != device.waiting {
                let noted = devices::note_question(&state.store, &device.id, &polled.grant).await;
                noted.map_err(|error| of_store(&error))?;
            }
            return Err(refusal(&error));
        }
        let approved = device.grant.ok_or_else(unknown)?;
        let grant = self.grant(approved).await?.ok_or_else(unknown)?;
        let user = self.user(&grant).await?;
        let granted = Granted::read(&grant.content)?;
        let (scopes, resource) = narrowed(request, &granted)?;
        let bound = self.bound_refresh();
        let redeemed = devices::redeem(&state.store, &device.id, grant.id, bound).await;
        if !redeemed.map_err(|error| of_store(&error))? {
            return Err(invalid_grant(
                "the code was used, or its yes was taken back",
            ));
        }
        let making = Making {
            registered: self.registered,
            user: &user,
            grant: grant.id,
            granted: &granted,
            scopes: self.still_allowed(scopes),
            resource,
            jkt: self.jkt.clone(),
            number: client.may_use(GrantType::RefreshToken).then_some(0),
        };
        issue::tokens(state, making).await
    }
}
