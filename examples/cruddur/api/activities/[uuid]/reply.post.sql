-- @summary  Reply to a message
-- @param    uuid     uuid  in path
-- @param    message  text  min 1 max 280
-- @access   authenticated
-- @returns  one
-- @status   201
-- @security definer
update activities set replies_count = replies_count + 1
 where uuid = :uuid and (expires_at is null or expires_at > now());
insert into activities (user_uuid, message, reply_to_activity_uuid)
select auth.uid(), :message, a.uuid
  from activities a
 where a.uuid = :uuid and (a.expires_at is null or a.expires_at > now())
returning uuid, message, reply_to_activity_uuid, created_at
