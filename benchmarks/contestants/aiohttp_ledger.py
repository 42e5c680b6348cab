"""A ledger as one writes it on aiohttp and SQLAlchemy: lock the account's row, look, insert, update, commit.

`python -m benchmarks.contestants.aiohttp_ledger prepare FILE_OF_IDS`, then `… serve PORT`. The database is
told by PGHOST and its like.
"""

import asyncio
import multiprocessing
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from aiohttp import web
from sqlalchemy import ForeignKey, Numeric, insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

PROCESSES = 2
POOL = 16  # connections, in both processes together
FUNDS = Decimal(1_000_000)
MONEY = Numeric(28, 8)

engine = create_async_engine("postgresql+asyncpg://", pool_size=POOL // PROCESSES, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "account"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    balance: Mapped[Decimal] = mapped_column(MONEY)


class Transaction(Base):
    __tablename__ = "transaction"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey(Account.id), index=True)
    type: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    balance_after: Mapped[Decimal] = mapped_column(MONEY)
    reference: Mapped[str]
    created_at: Mapped[str]


async def post(request: web.Request) -> web.Response:
    asked = await request.json()
    id, amount = UUID(asked["id"]), Decimal(asked["amount"])
    async with new_session() as session, session.begin():
        account = await session.get(Account, UUID(asked["account"]), with_for_update=True)
        if account is None:
            return web.json_response({"error": "no such account"}, status=404)
        row = await session.get(Transaction, id)  # asked before?
        if row is None:
            after = account.balance + (amount if asked["type"] == "DEPOSIT" else -amount)
            if after < 0:
                return web.json_response({"error": "insufficient funds"}, status=402)
            account.balance = after
            row = Transaction(
                id=id,
                account_id=account.id,
                type=asked["type"],
                amount=amount,
                balance_after=after,
                reference=asked["reference"],
                created_at=datetime.now(UTC).isoformat(),
            )
            session.add(row)
    return web.json_response({**asked, "balance_after": str(row.balance_after)}, status=201)


def serve(port: int) -> None:
    app = web.Application()
    app.router.add_post("/", post)
    web.run_app(app, host="127.0.0.1", port=port, reuse_port=True, print=None, access_log=None)


async def prepare(ids: list[UUID]) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Account), [{"id": id, "balance": FUNDS} for id in ids])
    await engine.dispose()


def main(command: str, argument: str) -> None:
    if command == "prepare":
        asyncio.run(prepare([UUID(line) for line in Path(argument).read_text().split()]))
        return
    children = [
        multiprocessing.Process(target=serve, args=[int(argument)], daemon=True) for _ in range(PROCESSES - 1)
    ]
    for child in children:
        child.start()
    serve(int(argument))


if __name__ == "__main__":
    main(*sys.argv[1:])
