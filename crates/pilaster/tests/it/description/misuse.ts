// A program over Cruddur's generated types of which every marked line has to be refused: one that
// is not is an unused @ts-expect-error, and that is an error itself.
import { createClient } from "@supabase/supabase-js"
import type { Database, Endpoints, TablesUpdate } from "./database"

const client = createClient<Database>("http://127.0.0.1:8000", "key")

export async function run(): Promise<void> {
  // @ts-expect-error no such table
  await client.from("nothing").select()
  // @ts-expect-error set by the server
  await client.from("activities").insert({ message: "Hello", likes_count: 9 })
  // @ts-expect-error the message is missing
  await client.from("activities").insert({ expires_at: null })
  // @ts-expect-error a text
  await client.from("activities").insert({ message: 5 })
  // @ts-expect-error these roles may only read it
  await client.from("likes").insert({ activity_uuid: "0193a000-0000-7000-8000-000000000001" })
  // @ts-expect-error granted to nobody
  await client.from("users").update({ email: "ada@example.org" })
  // @ts-expect-error not on the list
  await client.from("moods").insert({ mood: "bored" })
  // @ts-expect-error takes a number
  await client.rpc("top", { count: "3" })

  const { data } = await client.from("activities").select("message, likes_count").single()
  // @ts-expect-error a text is no number
  const wrong: number | undefined = data?.message
  // @ts-expect-error was not selected
  const unselected = data?.uuid
  const users = await client.from("users").select("email").single()
  // @ts-expect-error no such column
  const hidden = users.data?.email
  // @ts-expect-error no such field
  const change: TablesUpdate<"users"> = { uuid: "0193a000-0000-7000-8000-000000000001" }
  // @ts-expect-error no such parameter
  const query: Endpoints["GET /api/feed"]["Query"] = { limits: 1 }
  console.log(wrong, unselected, hidden, change, query)
}
