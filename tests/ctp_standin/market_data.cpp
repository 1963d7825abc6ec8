// The vendor's market-data library, played by the exchange in exchange.cpp.
#include <cfloat>

#include "market_data_defaults.hpp"

using namespace standin;

namespace {

class QuoteFront final : public MarketDataDefaults, private QuoteClient {
public:
    void Release() override {
        Exchange::instance().detach(this);
        delete this;
    }
    void Init() override { Exchange::instance().attach(static_cast<QuoteClient*>(this)); }
    int Join() override { return 0; }
    const char* GetTradingDay() override {
        trading_day_ = Exchange::instance().trading_day();
        return trading_day_.c_str();
    }
    void RegisterFront(char*) override {}
    void RegisterNameServer(char*) override {}
    void RegisterFensUserInfo(CThostFtdcFensUserInfoField*) override {}
    void RegisterSpi(CThostFtdcMdSpi* spi) override {
        if (!spi) Exchange::instance().detach(this);
        spi_ = spi;
    }

    // Like real quote fronts, it lets everybody in.
    int ReqUserLogin(CThostFtdcReqUserLoginField* request, int id) override {
        if (!Exchange::instance().reachable()) return kNoConnection;
        CThostFtdcRspUserLoginField answer{};
        put(answer.TradingDay, Exchange::instance().trading_day());
        put(answer.BrokerID, request->BrokerID);
        put(answer.UserID, request->UserID);
        auto ok = info({});
        spi_->OnRspUserLogin(&answer, &ok, id, true);
        return kSent;
    }

    int SubscribeMarketData(char* symbols[], int count) override {
        if (!Exchange::instance().reachable()) return kNoConnection;
        for (int i = 0; i < count; ++i) {
            CThostFtdcSpecificInstrumentField answer{};
            put(answer.InstrumentID, symbols[i]);
            const bool known = Exchange::instance().subscribe(symbols[i]);
            auto result = info(known ? Failure{} : Failure{16, "CTP:找不到合约"});
            spi_->OnRspSubMarketData(&answer, &result, 0, i + 1 == count);
        }
        return kSent;
    }

    int UnSubscribeMarketData(char* symbols[], int count) override {
        for (int i = 0; i < count; ++i) Exchange::instance().unsubscribe(symbols[i]);
        return kSent;
    }

private:
    void front_connected() override { spi_->OnFrontConnected(); }
    void front_disconnected(int reason) override { spi_->OnFrontDisconnected(reason); }

    void on_quote(const Quote& quote) override {
        CThostFtdcDepthMarketDataField data{};
        put(data.TradingDay, quote.date);
        put(data.ActionDay, quote.date);
        put(data.InstrumentID, quote.symbol);
        put(data.UpdateTime, quote.time);
        data.UpdateMillisec = quote.millisecond;
        data.LastPrice = quote.last;
        data.Volume = static_cast<int>(quote.volume);
        data.Turnover = quote.turnover;
        data.OpenInterest = quote.open_interest;
        data.UpperLimitPrice = quote.limit_up;
        data.LowerLimitPrice = quote.limit_down;
        data.OpenPrice = quote.open;
        data.HighestPrice = quote.high;
        data.LowestPrice = quote.low;
        data.PreClosePrice = quote.pre_close;
        data.BidPrice1 = quote.bid;
        data.BidVolume1 = quote.bid_volume;
        data.AskPrice1 = quote.ask;
        data.AskVolume1 = quote.ask_volume;
        for (double* unset : {&data.ClosePrice, &data.SettlementPrice, &data.PreSettlementPrice, &data.BidPrice2,
                              &data.AskPrice2})
            *unset = DBL_MAX;  // the vendor's mark of an absent price
        spi_->OnRtnDepthMarketData(&data);
    }

    CThostFtdcMdSpi* spi_ = nullptr;
    std::string trading_day_;
};

}  // namespace

CThostFtdcMdApi* CThostFtdcMdApi::CreateFtdcMdApi(const char*, const bool, const bool, bool) {
    return new QuoteFront();
}

const char* CThostFtdcMdApi::GetApiVersion() { return "stand-in"; }
